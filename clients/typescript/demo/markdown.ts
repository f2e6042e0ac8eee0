/**
 * Shows Markdown as it is written, with its marks set back, line by line as it grows. The text of the element is the text that arrived,
 * to the letter.
 */
export function createMarkdown(target: HTMLElement) {
  let line = startLine();
  let isCode = false;

  target.replaceChildren(line.element);

  return {
    append(text: string): void {
      const [first = "", ...others] = text.split("\n");
      grow(first);
      for (const other of others) {
        line.text += "\n";
        draw();
        if (line.text.startsWith("```")) isCode = !isCode;
        line = startLine();
        target.append(line.element);
        grow(other);
      }
    },
  };

  function startLine() {
    return { element: document.createElement("span"), text: "" };
  }

  function grow(text: string): void {
    line.text += text;
    draw();
  }

  function draw(): void {
    const { element, text } = line;
    element.className = isCode || /^( {4}|```)/.test(text) ? "code" : text.startsWith("#") ? "heading" : text.startsWith("|") ? "row" : "";
    element.replaceChildren(...(element.className == "code" ? [text] : parts(text)));
  }
}

/** Marks, and what they mark. */
function parts(text: string): (Node | string)[] {
  return text.split(/(^#+ |^- |`[^`]+`|\*\*[^*]+\*\*)/).filter(Boolean).map((part) => {
    if (/^(#+|-) $/.test(part)) return span("mark-up", part);
    if (part.startsWith("`")) return span("inline", part);
    return part.startsWith("**") ? span("strong", span("mark-up", "**"), part.slice(2, -2), span("mark-up", "**")) : part;
  });
}

function span(name: string, ...content: (Node | string)[]): HTMLElement {
  const element = document.createElement("span");
  element.className = name;
  element.append(...content);
  return element;
}
