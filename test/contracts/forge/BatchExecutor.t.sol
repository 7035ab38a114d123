// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Account} from "@openzeppelin/contracts/account/Account.sol";
import {ERC7821} from "@openzeppelin/contracts/account/extensions/draft-ERC7821.sol";
import {Execution} from "@openzeppelin/contracts/interfaces/draft-IERC7579.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {BatchExecutor} from "../../../wallets/contracts/BatchExecutor.sol";
import {AnsweringToken, CallingBackToken, PlainToken} from "./OddTokens.sol";
import {Vm, vm} from "./Vm.sol";

contract BatchExecutorTest {
    uint256 private constant KEY = 0xe5c;
    bytes32 private constant STANDARD = bytes32(bytes10(0x01000000000000000000));
    bytes32 private PAYMENTS;

    address private gasWallet = address(0x6a5);
    address private stranger = address(0x57a);
    address private anna = address(0xa11);
    address private ben = address(0xb22);
    BatchExecutor private executor;
    BatchExecutor private wallet;
    PlainToken private token;

    function setUp() public {
        executor = new BatchExecutor(gasWallet);
        PAYMENTS = executor.PAYMENTS_MODE();
        vm.attachDelegation(vm.signDelegation(address(executor), KEY));
        wallet = BatchExecutor(payable(vm.addr(KEY)));
        vm.prank(stranger);
        (bool isThere,) = address(wallet).call("");
        require(isThere, "the wallet runs the executor's code");
        token = new PlainToken();
        token.mint(address(wallet), 1_000);
    }

    // Who may call.

    function test_theGasWalletPaysAWholeBatch() public {
        vm.prank(gasWallet);
        wallet.execute(PAYMENTS, twoPayments(address(token)));
        holds(token, anna, 10);
        holds(token, ben, 20);
        holds(token, address(wallet), 970);
    }

    function test_theGasWalletPaysTheBatchOfTheStandard() public {
        vm.prank(gasWallet);
        wallet.execute(STANDARD, twoTransfers(address(token)));
        holds(token, anna, 10);
        holds(token, ben, 20);
    }

    function test_theWalletItselfMayPay() public {
        vm.prank(address(wallet));
        wallet.execute(PAYMENTS, twoPayments(address(token)));
        holds(token, ben, 20);
    }

    function test_nobodyElseMayPay(address caller) public {
        if (caller == gasWallet || caller == address(wallet)) return;
        bytes memory payments = twoPayments(address(token));
        bytes memory transfers = twoTransfers(address(token));
        for (uint256 way = 0; way < 2; ++way) {
            vm.expectRevert(abi.encodeWithSelector(Account.AccountUnauthorized.selector, caller));
            vm.prank(caller);
            wallet.execute(way == 0 ? PAYMENTS : STANDARD, way == 0 ? payments : transfers);
        }
        holds(token, address(wallet), 1_000);
    }

    function test_aRecipientATokenAndTheExecutorAreNobodyToo() public {
        test_nobodyElseMayPay(anna);
        test_nobodyElseMayPay(address(token));
        test_nobodyElseMayPay(address(executor));
    }

    // Replay.

    function test_aBatchThatSomebodyRepeatsIsRefused() public {
        bytes memory payments = twoPayments(address(token));
        vm.prank(gasWallet);
        wallet.execute(PAYMENTS, payments);
        for (uint256 index = 0; index < 3; ++index) {
            address caller = [stranger, anna, address(token)][index];
            vm.expectRevert(abi.encodeWithSelector(Account.AccountUnauthorized.selector, caller));
            vm.prank(caller);
            wallet.execute(PAYMENTS, payments);
        }
        holds(token, anna, 10);
    }

    function test_aBatchAtAnotherAddressMovesNothingOfThisWallet() public {
        vm.expectRevert();
        vm.prank(gasWallet);
        executor.execute(PAYMENTS, twoPayments(address(token)));
        holds(token, address(wallet), 1_000);
    }

    // Re-entrancy.

    function test_aTokenThatCallsBackIsNotLetIn() public {
        CallingBackToken calling = new CallingBackToken();
        calling.mint(address(wallet), 1_000);
        for (uint256 way = 0; way < 2; ++way) {
            bytes memory batch = way == 0 ? twoPayments(address(calling)) : twoTransfers(address(calling));
            calling.callBackWith(way == 0 ? PAYMENTS : STANDARD, batch);
            vm.prank(gasWallet);
            wallet.execute(way == 0 ? PAYMENTS : STANDARD, batch);
        }
        require(calling.tries() == 4 && !calling.wasLetIn(), "it was let in");
        holds(calling, address(wallet), 1_000 - 2 * 30);
    }

    function test_aBatchCannotCallItsOwnWallet() public {
        bytes memory again = abi.encodeCall(ERC7821.execute, (PAYMENTS, twoPayments(address(token))));
        refusesCall(Execution(address(wallet), 0, again));
    }

    // What a token answers.

    function test_aTokenThatAnswersFalseTakesTheBatchBack() public {
        refusesAnswer(abi.encode(false));
    }

    function test_aTokenThatAnswersSomethingElseTakesTheBatchBack() public {
        refusesAnswer(abi.encode(uint256(2)));
        refusesAnswer(hex"01");
    }

    function test_aTokenThatAnswersNothingHasMoved() public {
        pays(new AnsweringToken(""));
    }

    function test_aTokenThatAnswersTrueHasMoved() public {
        pays(new AnsweringToken(abi.encode(true)));
    }

    function test_aTokenThatIsNotThereTakesTheBatchBack() public {
        bytes memory refusal = abi.encodeWithSelector(BatchExecutor.TransferRefused.selector, 0, bytes(""));
        vm.expectRevert(refusal);
        vm.prank(gasWallet);
        wallet.execute(PAYMENTS, twoPayments(address(0xdead)));
    }

    function test_aRecipientWhomTheTokenRefusesTakesTheBatchBackAndIsNamed() public {
        token.refuse(ben);
        bytes memory reason = abi.encodeWithSignature("Error(string)", "refused");
        for (uint256 way = 0; way < 2; ++way) {
            bytes memory batch = way == 0 ? twoPayments(address(token)) : twoTransfers(address(token));
            vm.expectRevert(abi.encodeWithSelector(BatchExecutor.TransferRefused.selector, 1, reason));
            vm.prank(gasWallet);
            wallet.execute(way == 0 ? PAYMENTS : STANDARD, batch);
        }
        holds(token, anna, 0);
        holds(token, address(wallet), 1_000);
    }

    function test_theRefusedPaymentIsNamedHoweverWideAnAmountIs(uint8 size) public {
        token.refuse(ben);
        bytes memory zeros = new bytes(size % 31);
        bytes memory toAnna = abi.encodePacked(anna, zeros, uint8(1));
        bytes memory batch = abi.encodePacked(
            uint8(zeros.length + 1), token, toAnna, toAnna, toAnna, abi.encodePacked(ben, zeros, uint8(1)), toAnna
        );
        bytes memory reason = abi.encodeWithSignature("Error(string)", "refused");
        vm.expectRevert(abi.encodeWithSelector(BatchExecutor.TransferRefused.selector, 3, reason));
        vm.prank(gasWallet);
        wallet.execute(PAYMENTS, batch);
    }

    function test_moreThanThereIsTakesTheBatchBack() public {
        bytes memory reason =
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, address(wallet), 1, 2);
        vm.expectRevert(abi.encodeWithSelector(BatchExecutor.TransferRefused.selector, 1, reason));
        vm.prank(gasWallet);
        wallet.execute(PAYMENTS, abi.encodePacked(uint8(2), token, anna, uint16(999), ben, uint16(2)));
        holds(token, anna, 0);
    }

    function test_transfersAreLoggedInTheOrderOfTheBatch() public {
        vm.recordLogs();
        vm.prank(gasWallet);
        wallet.execute(PAYMENTS, abi.encodePacked(uint8(1), token, ben, uint8(1), anna, uint8(2), ben, uint8(1)));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        require(logs.length == 3, "one log each");
        address[3] memory order = [ben, anna, ben];
        for (uint256 index = 0; index < 3; ++index) {
            require(logs[index].topics[0] == IERC20.Transfer.selector, "a transfer");
            require(logs[index].topics[2] == bytes32(uint256(uint160(order[index]))), "in order");
        }
    }

    // What else can be asked for.

    function test_nothingButATransferIsDone() public {
        refusesCall(Execution(address(token), 0, abi.encodeCall(IERC20.approve, (stranger, 1))));
        refusesCall(Execution(address(token), 0, abi.encodeCall(IERC20.transferFrom, (address(wallet), stranger, 1))));
        refusesCall(Execution(address(token), 0, ""));
        refusesCall(Execution(address(token), 0, bytes.concat(abi.encodeCall(IERC20.transfer, (stranger, 1)), hex"00")));
        vm.deal(address(wallet), 1 ether);
        refusesCall(Execution(address(token), 1, abi.encodeCall(IERC20.transfer, (stranger, 1))));
        refusesCall(Execution(stranger, 1 ether, ""));
    }

    function test_otherModesAreRefused(bytes32 mode) public {
        // The last 22 bytes of a mode are the caller's.
        if (bytes10(mode) == bytes10(STANDARD) || mode == PAYMENTS) return;
        require(!wallet.supportsExecutionMode(mode), "a mode that isn't there");
        vm.expectRevert(abi.encodeWithSelector(ERC7821.UnsupportedExecutionMode.selector));
        vm.prank(gasWallet);
        wallet.execute(mode, twoPayments(address(token)));
    }

    function test_theModesThatOthersKnowAreRefused() public {
        test_otherModesAreRefused(bytes32(0));
        test_otherModesAreRefused(bytes32(bytes10(0x01010000000000000000)));
        test_otherModesAreRefused(bytes32(bytes10(0x01000000000078210001)));
        test_otherModesAreRefused(bytes32(bytes10(0xff000000000000000000)));
        require(wallet.supportsExecutionMode(PAYMENTS) && wallet.supportsExecutionMode(STANDARD), "both modes");
    }

    function test_dataOfAnotherLengthIsRefused(uint8 length) public {
        if (length >= 21 && (length - 21) % 21 == 0) return;
        bytes memory payments = new bytes(length);
        if (length > 0) payments[0] = 0x01;
        refusesPayments(payments);
    }

    function test_amountsOfNoBytesOrMoreThanAWordAreRefused() public {
        refusesPayments(abi.encodePacked(uint8(0), token, anna));
        refusesPayments(abi.encodePacked(uint8(33), token, anna, uint256(1), uint8(0)));
        refusesPayments(abi.encodePacked(uint8(255), token, anna, new bytes(255)));
    }

    function test_amountsOfEverySizeAreReadWhole(uint8 size, uint256 amount) public {
        uint256 amountSize = 1 + size % 32;
        amount >>= 256 - 8 * amountSize;
        PlainToken other = new PlainToken();
        other.mint(address(wallet), amount);
        bytes memory payments = abi.encodePacked(uint8(amountSize), other, anna);
        for (uint256 place = amountSize; place > 0; --place) {
            payments = abi.encodePacked(payments, uint8(amount >> (8 * (place - 1))));
        }
        vm.prank(gasWallet);
        wallet.execute(PAYMENTS, payments);
        holds(other, anna, amount);
        holds(other, address(wallet), 0);
    }

    function test_etherReachesTheWalletAndIsNotTakenWithABatch() public {
        vm.deal(gasWallet, 2 ether);
        vm.prank(gasWallet);
        (bool arrived,) = address(wallet).call{value: 1 ether, gas: 5_000}("");
        require(arrived && address(wallet).balance == 1 ether, "a top-up must arrive");
        vm.expectRevert(abi.encodeWithSelector(BatchExecutor.EtherNotTaken.selector));
        vm.prank(gasWallet);
        wallet.execute{value: 1}(PAYMENTS, twoPayments(address(token)));
    }

    function pays(AnsweringToken answering) private {
        answering.mint(address(wallet), 30);
        vm.prank(gasWallet);
        wallet.execute(PAYMENTS, twoPayments(address(answering)));
        require(answering.balanceOf(anna) == 10 && answering.balanceOf(ben) == 20, "paid");
    }

    function refusesAnswer(bytes memory answer) private {
        AnsweringToken answering = new AnsweringToken(answer);
        answering.mint(address(wallet), 30);
        vm.expectRevert(abi.encodeWithSelector(BatchExecutor.TransferRefused.selector, 0, answer));
        vm.prank(gasWallet);
        wallet.execute(PAYMENTS, twoPayments(address(answering)));
        require(answering.balanceOf(address(wallet)) == 30, "nothing has moved");
    }

    function refusesPayments(bytes memory payments) private {
        vm.expectRevert(abi.encodeWithSelector(BatchExecutor.MalformedPayments.selector));
        vm.prank(gasWallet);
        wallet.execute(PAYMENTS, payments);
    }

    function refusesCall(Execution memory call) private {
        Execution[] memory calls = new Execution[](2);
        calls[0] = Execution(address(token), 0, abi.encodeCall(IERC20.transfer, (anna, 1)));
        calls[1] = call;
        vm.expectRevert(abi.encodeWithSelector(BatchExecutor.NotATransfer.selector, 1));
        vm.prank(gasWallet);
        wallet.execute(STANDARD, abi.encode(calls));
        holds(token, anna, 0);
    }

    function twoPayments(address held) private view returns (bytes memory) {
        return abi.encodePacked(uint8(1), held, anna, uint8(10), ben, uint8(20));
    }

    function twoTransfers(address held) private view returns (bytes memory) {
        Execution[] memory calls = new Execution[](2);
        calls[0] = Execution(held, 0, abi.encodeCall(IERC20.transfer, (anna, 10)));
        calls[1] = Execution(held, 0, abi.encodeCall(IERC20.transfer, (ben, 20)));
        return abi.encode(calls);
    }

    function holds(IERC20 held, address account, uint256 amount) private view {
        require(held.balanceOf(account) == amount, "another balance than it should be");
    }
}
