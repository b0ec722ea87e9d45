/** Progress, warnings and advice: standard error, so that standard output holds the answer alone. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** The answer of a command, as text. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The answer of a command as exactly one JSON object on one line. */
export function sayJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Resolves when standard output has taken what was said so far. Where it has not, the command ends before that. */
export function said(): Promise<void> {
  return new Promise((resolve) => process.stdout.write('', () => setImmediate(resolve)));
}

/** Columns aligned, two blanks apart; the last column is not padded. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!))).join('  '))
    .join('\n');
}
