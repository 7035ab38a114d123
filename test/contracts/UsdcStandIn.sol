// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// Stands at USDC's real address on local chains, with what makes the real one dangerous to pay with: an issuer that can
/// block an account or pause everything. Function names and revert texts are those of the real token; the roles aren't,
/// anybody may call them. Its code is placed without running a constructor, so name and symbol are constants.
///
/// As in the real token (FiatTokenV2_2) one word holds an account's balance and whether it is blocked, so that asking for
/// both costs one cold read of storage. The real one's proxy isn't here.
contract UsdcStandIn is ERC20 {
    event Blacklisted(address indexed _account);
    event UnBlacklisted(address indexed _account);
    event Pause();
    event Unpause();

    uint256 private constant BLOCKED = 1 << 255;
    uint256 private constant MOST = BLOCKED - 1;

    bool public paused;
    /// The high bit says whether the account is blocked, the other 255 are its balance.
    mapping(address account => uint256) private states;
    uint256 private supply;

    modifier notBlacklisted(address account) {
        require(!isBlacklisted(account), "Blacklistable: account is blacklisted");
        _;
    }

    modifier whenNotPaused() {
        require(!paused, "Pausable: paused");
        _;
    }

    constructor() ERC20("", "") {}

    function name() public pure override returns (string memory) {
        return "USD Coin";
    }

    function symbol() public pure override returns (string memory) {
        return "USDC";
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function totalSupply() public view override returns (uint256) {
        return supply;
    }

    function balanceOf(address account) public view override returns (uint256) {
        return states[account] & MOST;
    }

    function isBlacklisted(address account) public view returns (bool) {
        return states[account] & BLOCKED != 0;
    }

    function mint(address to, uint256 amount) external whenNotPaused notBlacklisted(to) {
        _mint(to, amount);
    }

    function blacklist(address account) external {
        states[account] |= BLOCKED;
        emit Blacklisted(account);
    }

    function unBlacklist(address account) external {
        states[account] &= MOST;
        emit UnBlacklisted(account);
    }

    function pause() external {
        paused = true;
        emit Pause();
    }

    function unpause() external {
        paused = false;
        emit Unpause();
    }

    function transfer(address to, uint256 value)
        public
        override
        whenNotPaused
        notBlacklisted(msg.sender)
        notBlacklisted(to)
        returns (bool)
    {
        return super.transfer(to, value);
    }

    function transferFrom(address from, address to, uint256 value)
        public
        override
        whenNotPaused
        notBlacklisted(msg.sender)
        notBlacklisted(from)
        notBlacklisted(to)
        returns (bool)
    {
        return super.transferFrom(from, to, value);
    }

    /// A blocked account may be allowed something, and may allow: it only can't be paid or pay.
    function approve(address spender, uint256 value) public override whenNotPaused returns (bool) {
        return super.approve(spender, value);
    }

    /// Nothing burns: `to` is never nobody.
    function _update(address from, address to, uint256 value) internal override {
        if (from == address(0)) {
            supply += value;
        } else {
            require(value <= balanceOf(from), "ERC20: transfer amount exceeds balance");
            _setBalance(from, balanceOf(from) - value);
        }
        _setBalance(to, balanceOf(to) + value);
        emit Transfer(from, to, value);
    }

    function _setBalance(address account, uint256 balance) private {
        require(balance <= MOST, "FiatTokenV2_2: Balance exceeds (2^255 - 1)");
        require(!isBlacklisted(account), "FiatTokenV2_2: Account is blacklisted");
        states[account] = balance;
    }
}
