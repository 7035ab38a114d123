// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {ERC7821} from "@openzeppelin/contracts/account/extensions/draft-ERC7821.sol";
import {ERC7579Utils, Execution} from "@openzeppelin/contracts/account/utils/draft-ERC7579Utils.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";

/// The code that our custody wallets run by EIP-7702, so that one transaction, paid for by the gas wallet, moves the tokens
/// of a whole settlement. It is an ERC-7821 account that keeps no state and can do one thing: ERC-20 transfers, all of a
/// batch or none. Each is checked as SafeERC20 does: a token that reverts, answers false or isn't there takes the whole
/// batch back; one that answers nothing, as some do, has moved.
contract BatchExecutor is ERC7821 {
    using SafeERC20 for IERC20;

    /// Transfers of one token, packed: one byte that says how many bytes an amount takes (1 to 32), the token's address,
    /// then recipient and amount of each payment. An ERC-7579 mode like the standard's batch, with a selector of its own.
    bytes32 public constant PAYMENTS_MODE = bytes32(bytes10(0x01000000000070617973));

    uint256 private constant HEAD_SIZE = 21;

    /// The one other account that may have a wallet's tokens moved.
    address public immutable gasWallet;

    /// Call `index` of the batch is something else than an ERC-20 transfer without ether.
    error NotATransfer(uint256 index);
    /// Transfer `index` moved nothing; `reason` is what the token answered.
    error TransferRefused(uint256 index, bytes reason);
    error MalformedPayments();
    error EtherNotTaken();

    constructor(address gasWallet_) {
        gasWallet = gasWallet_;
    }

    /// Ether reaches the wallet as it would without code: the fallback tops wallets up to pay for gas themselves.
    receive() external payable {}

    function execute(bytes32 mode, bytes calldata executionData) public payable override {
        if (!_erc7821AuthorizedExecutor(msg.sender, mode, executionData)) {
            revert Account.AccountUnauthorized(msg.sender);
        }
        if (msg.value != 0) revert EtherNotTaken();
        if (mode == PAYMENTS_MODE) _pay(executionData);
        else if (super.supportsExecutionMode(mode)) _transferEach(ERC7579Utils.decodeBatch(executionData));
        else revert UnsupportedExecutionMode();
    }

    function supportsExecutionMode(bytes32 mode) public view override returns (bool) {
        return mode == PAYMENTS_MODE || super.supportsExecutionMode(mode);
    }

    function _pay(bytes calldata payments) private {
        uint256 head = uint256(bytes32(payments));
        uint256 amountSize = head >> 248;
        IERC20 token = IERC20(address(uint160(head >> 88)));
        if (amountSize == 0 || amountSize > 32) revert MalformedPayments();
        uint256 size = 20 + amountSize;
        if (payments.length < HEAD_SIZE || (payments.length - HEAD_SIZE) % size != 0) revert MalformedPayments();
        uint256 amountShift = 256 - 8 * amountSize;
        for (uint256 start = HEAD_SIZE; start < payments.length;) {
            address recipient;
            uint256 amount;
            // Slices of calldata, without their checks: the length above has them all within.
            assembly ("memory-safe") {
                let payment := add(payments.offset, start)
                recipient := shr(96, calldataload(payment))
                amount := shr(amountShift, calldataload(add(payment, 20)))
            }
            if (!token.trySafeTransfer(recipient, amount)) _refuse((start - HEAD_SIZE) / size);
            unchecked {
                start += size;
            }
        }
    }

    /// The batch of the standard, for ordinary tools.
    function _transferEach(Execution[] calldata calls) private {
        for (uint256 index = 0; index < calls.length; ++index) {
            Execution calldata call = calls[index];
            bytes calldata data = call.callData;
            if (call.value != 0 || data.length != 68 || bytes4(data) != IERC20.transfer.selector) {
                revert NotATransfer(index);
            }
            (address recipient, uint256 amount) = abi.decode(data[4:], (address, uint256));
            if (!IERC20(call.target).trySafeTransfer(recipient, amount)) _refuse(index);
        }
    }

    function _refuse(uint256 index) private pure {
        revert TransferRefused(index, LowLevelCall.returnData());
    }

    function _erc7821AuthorizedExecutor(address caller, bytes32 mode, bytes calldata executionData)
        internal
        view
        override
        returns (bool)
    {
        return caller == gasWallet || super._erc7821AuthorizedExecutor(caller, mode, executionData);
    }
}
