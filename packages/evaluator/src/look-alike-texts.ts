import type { FieldProblem } from '@claviger/errors';
import { lookAlike } from './look-alikes.ts';

const TEXTS = [
  'name',
  'matchSigner',
  'matchUser',
  'matchAdGroup',
  'matchToolName',
  'matchPathGlob',
  'matchParentImage',
];

interface Said {
  readonly pointer: string;
  readonly text: string;
}

/**
 * The texts of a rule, an entry of known software or an access policy that can be confused with others, by
 * JSON pointer. Unchanged texts (`before`) are not reported, so a stored rule can be disabled.
 */
export function lookAlikeTexts(object: object, before?: object | null): FieldProblem[] {
  const known = new Set(before ? textsOf(before).map(({ text }) => text) : []);
  return textsOf(object).flatMap(({ pointer, text }) => {
    const detail = known.has(text) ? undefined : lookAlike(text);
    return detail === undefined ? [] : [{ pointer, detail }];
  });
}

function textsOf(object: object): Said[] {
  const fields = object as Readonly<Record<string, unknown>>;
  const said: { pointer: string; text: unknown }[] = TEXTS.map((field) => ({
    pointer: `/${field}`,
    text: fields[field],
  }));
  const { steps = [] } = (fields.access ?? {}) as {
    steps?: readonly { name: string; approverRoles: readonly string[] }[];
  };
  for (const [index, step] of steps.entries()) {
    said.push({ pointer: `/access/steps/${index}/name`, text: step.name });
    step.approverRoles.forEach((role, at) => {
      said.push({ pointer: `/access/steps/${index}/approverRoles/${at}`, text: role });
    });
  }
  return said.filter((each): each is Said => typeof each.text === 'string');
}
