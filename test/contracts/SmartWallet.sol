// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// A wallet that is a contract: one owner key, ERC-1271 signatures, and calls that the owner signs and anybody (a
/// bundler) sends, so that `tx.from` of a deposit isn't its `log.from`.
contract SmartWallet is IERC1271 {
    address public immutable owner;
    uint256 public nonce;

    constructor(address owner_) {
        owner = owner_;
    }

    receive() external payable {}

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        return _signedByOwner(hash, signature) ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }

    /// A call that the owner sends.
    function execute(address target, uint256 value, bytes calldata data) external returns (bytes memory) {
        require(msg.sender == owner, "SmartWallet: not the owner");
        return _call(target, value, data);
    }

    /// A call that the owner signed, as a personal message over `executionHash`, and anybody sends.
    function executeSigned(address target, uint256 value, bytes calldata data, bytes calldata signature)
        external
        returns (bytes memory)
    {
        bytes32 signed = MessageHashUtils.toEthSignedMessageHash(executionHash(target, value, data));
        require(_signedByOwner(signed, signature), "SmartWallet: not signed by the owner");
        nonce++;
        return _call(target, value, data);
    }

    function executionHash(address target, uint256 value, bytes calldata data) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), nonce, target, value, data));
    }

    function _signedByOwner(bytes32 hash, bytes calldata signature) private view returns (bool) {
        (address signer, ECDSA.RecoverError problem,) = ECDSA.tryRecover(hash, signature);
        return problem == ECDSA.RecoverError.NoError && signer == owner;
    }

    function _call(address target, uint256 value, bytes calldata data) private returns (bytes memory) {
        (bool success, bytes memory answer) = target.call{value: value}(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
        return answer;
    }
}
