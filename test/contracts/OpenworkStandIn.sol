// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// Stands at $OPENWORK's real address on local chains. Its code is placed there without running a constructor, so the
/// name and symbol are constants instead of storage.
contract OpenworkStandIn is ERC20 {
    constructor() ERC20("", "") {}

    function name() public pure override returns (string memory) {
        return "OpenWork";
    }

    function symbol() public pure override returns (string memory) {
        return "OPENWORK";
    }

    /// Anybody may mint: the token exists on development chains only.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}
