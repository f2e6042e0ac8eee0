/** Counts what was lost and what was repeated, by the numbers at the end of the server's ids. */
export function createTally() {
  let last = 0;
  let lost = 0;
  let repeated = 0;
  return {
    get lost() { return lost; },
    get repeated() { return repeated; },
    /** Takes a message into account; false where it was there before. */
    add(id: string): boolean {
      const number = Number(id.slice(id.lastIndexOf("-") + 1));
      if (number <= last) {
        repeated++;
        return false;
      }
      lost += number - last - 1;
      last = number;
      return true;
    },
  };
}
