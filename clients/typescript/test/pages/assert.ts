/** As much of `node:assert/strict` as the cases use, for a browser. */
const assert = {
  ok(value: unknown, message = "not so"): void {
    if (!value) throw new Error(message);
  },
  equal(actual: unknown, expected: unknown): void {
    assert.ok(Object.is(actual, expected), `${String(actual)} is not ${String(expected)}`);
  },
  deepEqual(actual: unknown, expected: unknown): void {
    assert.equal(JSON.stringify(actual), JSON.stringify(expected));
  },
  async rejects(promise: () => Promise<unknown>, members: Readonly<Record<string, unknown>>): Promise<void> {
    const error = await promise().then(() => undefined, (error: unknown) => error as Record<string, unknown>);
    assert.ok(error, "does not reject");
    for (const [name, expected] of Object.entries(members)) assert.equal(error?.[name], expected);
  },
};

export default assert;
