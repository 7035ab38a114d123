// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// Runs the code of an implementation that anybody may replace. Its address lies where the constructor was told: proxies
/// after ERC-1967 use one slot, USDC an older one.
contract TokenProxy {
    bytes32 private immutable slot;

    constructor(bytes32 slot_, address implementation) {
        slot = slot_;
        _set(slot_, implementation);
    }

    function upgradeTo(address implementation) external {
        _set(slot, implementation);
    }

    function _set(bytes32 slot_, address implementation) private {
        assembly {
            sstore(slot_, implementation)
        }
    }

    fallback() external {
        bytes32 slot_ = slot;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let moved := delegatecall(gas(), sload(slot_), 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch moved
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }
}
