// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// Lets nobody pay, by a revert or by answering no.
contract RefusingToken is ERC20 {
    bool private immutable answersFalse;

    constructor(bool answersFalse_) ERC20("Refusing", "REFUSE") {
        answersFalse = answersFalse_;
    }

    function transfer(address, uint256) public view override returns (bool) {
        require(answersFalse, "not today");
        return false;
    }
}
