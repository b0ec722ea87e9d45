import { TARGET_LIMITS } from './limits.ts';

/** Joins a list of an account into one text and cuts it at the limit. */
export function listed(values: readonly string[], separator: string): string {
  const limit = TARGET_LIMITS.detailCharacters;
  let text = '';
  for (const value of values) {
    text = text === '' ? value : `${text}${separator}${value}`;
    if (text.length > limit) return `${text.slice(0, limit)}…`;
  }
  return text;
}
