/** $OPENWORK's address on Base, 18 decimals. Its stand-in is at the same address on local chains. */
export const openworkAddress = "0x299c30dd5974bf4d5bfe42c340ca40462816ab07";
/** USDC's address on Base, 6 decimals. Its stand-in is at the same address on local chains. */
export const usdcAddress = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913";
/** Where Multicall3 stands on every public chain. */
export const multicall3Address = "0xca11bde05977b3631167028862be2a173976ca11";
/** Base's chain id, which the local chain bears too. */
export const baseChainId = 8453;
