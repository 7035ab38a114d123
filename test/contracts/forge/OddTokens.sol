// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC7821} from "@openzeppelin/contracts/interfaces/draft-IERC7821.sol";

contract PlainToken is ERC20 {
    mapping(address account => bool) public isRefused;

    constructor() ERC20("Plain", "PLAIN") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function refuse(address account) external {
        isRefused[account] = true;
    }

    function transfer(address to, uint256 amount) public virtual override returns (bool) {
        require(!isRefused[to], "refused");
        return super.transfer(to, amount);
    }
}

/// Says what it was told to say, whatever it moved.
contract AnsweringToken {
    mapping(address account => uint256) public balanceOf;
    bytes private answer;

    constructor(bytes memory answer_) {
        answer = answer_;
    }

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
        bytes memory said = answer;
        assembly {
            return(add(said, 0x20), mload(said))
        }
    }
}

/// Calls back into the wallet that pays, with the very batch that is being paid, and keeps what came of it to itself.
contract CallingBackToken is PlainToken {
    bytes32 private mode;
    bytes private batch;
    bool public wasLetIn;
    uint256 public tries;

    function callBackWith(bytes32 mode_, bytes calldata batch_) external {
        mode = mode_;
        batch = batch_;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        tries += 1;
        try IERC7821(payable(msg.sender)).execute(mode, batch) {
            wasLetIn = true;
        } catch {}
        return super.transfer(to, amount);
    }
}
