/** A place in a list that goes from new to old. */
export interface Below {
  at: Date;
  id: string;
}
