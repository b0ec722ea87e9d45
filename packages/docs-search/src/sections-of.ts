/** The text under one heading, without the sections below it. */
export interface DocsSection {
  /** Name of the file, e.g. `settings.md`. */
  readonly file: string;
  /** Title of the page. */
  readonly title: string;
  /** The heading; for text before the first heading, the title. */
  readonly heading: string;
  /** The unchanged Markdown. */
  readonly text: string;
}

/** Splits a page by its headings. Ignores headings inside code blocks. */
export function sectionsOf(file: string, markdown: string): DocsSection[] {
  const sections: DocsSection[] = [];
  let title = file.replace(/\.md$/, '');
  let heading = title;
  let lines: string[] = [];
  let fence = '';
  const finish = (): void => {
    const text = lines.join('\n').trim();
    if (text !== '') sections.push({ file, title, heading, text });
    lines = [];
  };
  for (const line of markdown.split(/\r?\n/)) {
    const mark = /^ {0,3}(```+|~~~+)/.exec(line)?.[1];
    if (mark !== undefined && (fence === '' || mark.startsWith(fence))) fence = fence === '' ? mark : '';
    const found = fence === '' && mark === undefined ? /^(#{1,6}) +(.+?) *#*$/.exec(line) : null;
    if (found === null) {
      lines.push(line);
      continue;
    }
    finish();
    heading = found[2]!.replaceAll('`', '');
    if (found[1] === '#') title = heading;
  }
  finish();
  return sections;
}
