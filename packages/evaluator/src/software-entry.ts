import type { FieldProblem } from '@claviger/errors';
import type { SoftwareEntry } from './rule.ts';
import { given } from './rule.ts';
import { validateRule } from './validate-rule.ts';

/** Returns the problems of an entry of the lists of known software; empty if it is valid. */
export function problemsOfEntry(entry: SoftwareEntry): FieldProblem[] {
  const { name, list, enabled, siteId, matchHash, matchSigner, matchPathGlob } = entry;
  const problems: FieldProblem[] = [];
  if (list !== 'allow' && list !== 'deny')
    problems.push({ pointer: '/list', detail: 'must be allow or deny' });
  if (![matchHash, matchSigner, matchPathGlob].some(given))
    problems.push({ pointer: '', detail: 'must have a matchHash, a matchSigner or a matchPathGlob' });
  const asRule = { name, enabled, siteId, matchHash, matchSigner, matchPathGlob, verdict: 'auto_deny' };
  return problems.concat(
    validateRule(asRule).filter(({ pointer }) => pointer !== '' || problems.length === 0),
  );
}
