export const help = `npm run operator -- COMMAND

  solvency                                    what we owe, what we hold, the ten invariants
  disputes                                    games that wait for a decision
  decide GAME --outcome red|blue|draw|no_contest --reason "…"
  suspense                                    money that nobody could be credited for
  refund ITEM --reason "…"                    send it back to its sender
  assign ITEM --to HANDLE --reason "…"        credit it to the player whose it is
  instructions [--state STATE]                the newest transfers that we owe on the chain, or those in one state
  give-back TRANSFER --reason "…"             put a parked withdrawal or payout into its player's pool, a refund into suspense
  sweep --token USDC --dry-run                what a sweep would move
  sweep --token USDC --confirm TOTAL          move it; TOTAL in base units, as the dry run says

  frozen                                      wallets that pay nothing until they are thawed, and why
  thaw WALLET --reason "…"                    let one pay again; refused while something of it isn't explained

  backup FILE                                 everything that the books hold, in a new file
  restore FILE --verify                       try it out in a database of its own, which is removed again
  restore FILE                                bring it back into the empty database of DATABASE_OWNER_URL

  recovery                                    why nothing leaves after a restore, and what isn't explained yet
  begin-recovery --reason "…"                 when the books were brought back by other means; then start the engine anew
  end-recovery --reason "…"                   let money out again, once all is explained and final

  create-keystore FILE                        a new encrypted seed for production

  --as HANDLE or ADDRESS                      with what decides or moves something: which operator acts
                                              (default: the first in OPERATORS)`;
