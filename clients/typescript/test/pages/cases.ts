import { cases } from "../suite/cases.js";
import { TestOrders } from "../suite/order.js";

/** Runs one case here, and returns what it noted. */
async function runCase(name: string, server: string): Promise<string[]> {
  const notes: string[] = [];
  await cases.find((each) => each.name == name)!.run(new TestOrders(server), (text) => notes.push(text));
  return notes;
}

declare global {
  interface Window {
    runCase: typeof runCase;
  }
}

window.runCase = runCase;
