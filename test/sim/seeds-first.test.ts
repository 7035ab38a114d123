import { describeSeeds } from "./holds.ts";

// Half of them: the files of the suite run side by side.
describeSeeds(1, 10);
