import type { MethodInfo } from '@claviger/contracts';

/** `resourceId` or `resource_id` → `resource-id`. */
export const kebab = (name: string) =>
  name
    .replaceAll('_', '-')
    .replaceAll(/(?<=[a-z0-9])[A-Z]/g, '-$&')
    .toLowerCase();
/** `entries` → `entry`, `tags` → `tag`. */
export const singular = (name: string) => name.replace(/ies$/, 'y').replace(/([^s])s$/, '$1');

/** The first sentence of a comment, without its full stop. */
export const firstSentence = (comment: string) => comment.replace(/\.(?:\s+[A-Z].*)?$/s, '');

/** A comment of the contract as the help says it: to the reader, without a capital letter at its start. */
export function toReader(comment: string): string {
  const text = comment
    .replaceAll(/\bthe (?:caller|actor)'s\b/g, 'your')
    .replaceAll(/\bThe (?:caller|actor)\b/g, 'You')
    .replaceAll(/\bthe (?:caller|actor)\b/g, 'you');
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

/** `Lists` → `List`, `Applies` → `Apply`. What the API returns, a command shows. */
const imperative = (comment: string) =>
  comment
    .replace(/^Returns\b/, 'Shows')
    .replace(/^([A-Z][a-z-]+?)(ies|(?<=ss|sh|ch|x)es|s)\b/, (_, stem: string, end: string) =>
      end === 'ies' ? `${stem}y` : stem,
    );

/** `GetRole` → `show a role`, `ListRoles` → `list roles`. */
function sentence(name: string): string {
  const [verb = '', ...words] = name
    .replaceAll(/(?<=[a-z])[A-Z]/g, ' $&')
    .toLowerCase()
    .split(' ');
  const isOne = ['get', 'create', 'update', 'patch', 'delete', 'revoke'].includes(verb);
  const article = isOne ? (/^[aeio]/.test(words[0]!) ? 'an ' : 'a ') : '';
  return `${{ get: 'show', patch: 'update' }[verb] ?? verb} ${article}${words.join(' ')}`;
}

/** What an operation does, in the imperative: from its comment, or from its name if it has none. */
export function aboutOperation({ name, comment }: Pick<MethodInfo, 'name' | 'comment'>): string {
  const text = comment === '' ? sentence(name) : toReader(imperative(comment));
  return firstSentence(text) === text.slice(0, -1) ? text.slice(0, -1) : text;
}
