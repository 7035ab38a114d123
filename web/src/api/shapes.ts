/** Shapes of answers that the contract doesn't name itself. */
import type { ResponseOf } from "../../../engine/contract/routes.ts";

export type { ClientConfig } from "../../../engine/contract/operations.ts";
export type Listings = ResponseOf<"readListings">;
export type Leaderboard = ResponseOf<"readLeaderboard">;
export type PlayerPage = ResponseOf<"readPlayer">;
export type FoundDeposit = ResponseOf<"findDeposit">;
export type Overview = ResponseOf<"readOverview">;
export type SweepPlan = ResponseOf<"sweep">;
export type SuspenseItem = ResponseOf<"refundSuspense">;
export type Instruction = ResponseOf<"retryInstruction">;
export type Dispute = ResponseOf<"listDisputes">["items"][number];
export type Evidence = ResponseOf<"readGame">["evidence"][number];
