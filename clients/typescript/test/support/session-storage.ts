/** The session storage of a page, and what the page says when it is left. */
export class FakeSession implements Disposable {
  readonly items = new Map<string, string>();
  readonly #page = new EventTarget();

  /** @param room How many characters an item may have. */
  constructor(room = Infinity) {
    Object.assign(globalThis, {
      location: new URL("https://example.com/"),
      addEventListener: this.#page.addEventListener.bind(this.#page),
      removeEventListener: this.#page.removeEventListener.bind(this.#page),
      sessionStorage: {
        getItem: (name: string) => this.items.get(name) ?? null,
        setItem: (name: string, value: string) => {
          if (value.length > room) throw new Error("QuotaExceededError");
          this.items.set(name, value);
        },
      },
    });
  }

  leavePage(): void {
    this.#page.dispatchEvent(new Event("pagehide"));
  }

  [Symbol.dispose](): void {
    Object.assign(globalThis, { location: undefined, addEventListener: undefined, removeEventListener: undefined, sessionStorage: undefined });
  }
}
