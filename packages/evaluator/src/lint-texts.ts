import type { Finding } from './finding.ts';
import { lookAlikeTexts } from './look-alike-texts.ts';
import type { RuleSet } from './rule-set.ts';

/** Finds rules and entries that were stored before such texts were refused. */
export function lintTexts(ruleSet: RuleSet): Finding[] {
  const findings: Finding[] = [];
  for (const object of [...ruleSet.softwareEntries, ...ruleSet.rules]) {
    const [problem] = lookAlikeTexts(object);
    if (!problem) continue;
    const message = `“${object.name}” contains a text that can be read as another one: ${problem.pointer} ${problem.detail}.`;
    findings.push({ code: 'look_alike', severity: 'warning', ruleId: object.id, message });
  }
  return findings;
}
