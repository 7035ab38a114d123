// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BeaconProxy} from "@openzeppelin/contracts/proxy/beacon/BeaconProxy.sol";

/// Runs the code that a beacon names, which is asked at each call.
contract TokenBeaconProxy is BeaconProxy {
    constructor(address beacon) BeaconProxy(beacon, "") {}
}
