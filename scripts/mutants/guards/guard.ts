/** What stands between a mistake and somebody's money, with the tests that must fail when it is gone. */
export interface Guard {
  name: string;
  file: string;
  /** Stands exactly once in the file. */
  guard: string;
  instead: string;
  tests: string[];
}
