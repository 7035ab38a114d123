// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// What these tests use of forge's commands to its own machine.
interface Vm {
    struct SignedDelegation {
        uint8 v;
        bytes32 r;
        bytes32 s;
        uint64 nonce;
        address implementation;
    }

    function addr(uint256 privateKey) external returns (address);
    function deal(address account, uint256 wei_) external;
    function prank(address sender) external;
    function expectRevert(bytes calldata data) external;
    function expectRevert() external;
    function signDelegation(address implementation, uint256 privateKey) external returns (SignedDelegation memory);
    function attachDelegation(SignedDelegation calldata signed) external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);

    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }
}

Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
