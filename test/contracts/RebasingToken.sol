// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// Keeps shares and shows them times an index: a rebase changes everybody's balance without a transfer. Until the first
/// one it looks like an honest token. Its shares lie where the balances of the other tokens lie.
contract RebasingToken {
    mapping(address account => uint256) private shares;
    /// In hundredths of a percent; 0 stands for 10,000.
    uint256 private indexBps;

    event Transfer(address indexed from, address indexed to, uint256 value);

    function symbol() external pure returns (string memory) {
        return "REBASE";
    }

    function decimals() external pure returns (uint8) {
        return 18;
    }

    function index() public view returns (uint256) {
        return indexBps == 0 ? 10_000 : indexBps;
    }

    function rebase(uint256 indexBps_) external {
        indexBps = indexBps_;
    }

    function balanceOf(address account) external view returns (uint256) {
        return (shares[account] * index()) / 10_000;
    }

    function mint(address to, uint256 amount) external {
        shares[to] += (amount * 10_000) / index();
        emit Transfer(address(0), to, amount);
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        uint256 moved = (amount * 10_000) / index();
        shares[msg.sender] -= moved;
        shares[to] += moved;
        emit Transfer(msg.sender, to, amount);
        return true;
    }
}
