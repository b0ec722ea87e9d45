import type { Rule, SoftwareEntry } from '@claviger/evaluator';

/** Enough of a pattern to distinguish it from others; the rule contains the whole text. */
const SHOWN_CHARACTERS = 200;
const LEFT_OUT = new Set(['id', 'authorIds', 'coSignerIds']);

/**
 * The details of a rule or list entry in an audit event: all fields, long texts shortened, and the names of
 * the changed fields.
 */
export function ruleDetails(
  ruleSetVersion: number,
  body: Rule | SoftwareEntry,
  before?: Rule | SoftwareEntry,
): Record<string, unknown> {
  const fields = shown(body);
  if (!before) return { ruleSetVersion: `${ruleSetVersion}`, ...fields };
  const old = shown(before);
  const names = [...new Set([...Object.keys(fields), ...Object.keys(old)])];
  const changed = names.filter(
    (name) => JSON.stringify(whole(body, name)) !== JSON.stringify(whole(before, name)),
  );
  const was = Object.fromEntries(changed.filter((name) => name in old).map((name) => [name, old[name]]));
  return { ruleSetVersion: `${ruleSetVersion}`, ...fields, changed, was };
}

function whole(body: Rule | SoftwareEntry, name: string): unknown {
  return (body as unknown as Record<string, unknown>)[name] ?? null;
}

function shown(body: Rule | SoftwareEntry): Record<string, unknown> {
  const given = Object.entries(body).filter(
    ([name, value]) => !LEFT_OUT.has(name) && value !== null && value !== undefined,
  );
  return Object.fromEntries(given.map(([name, value]) => [name, cut(value)]));
}

function cut(value: unknown): unknown {
  if (typeof value !== 'string' || value.length <= SHOWN_CHARACTERS) return value;
  return `${value.slice(0, SHOWN_CHARACTERS)}…`;
}
