import type * as contract from '@claviger/contracts/workflow/v1/rules';
import type { Finding, LintContext } from '@claviger/evaluator';
import { type Handler, peopleBehind, permits, withinSites } from '@claviger/service-kit';
import { transactionTimeMs } from '../database-clock.ts';
import { internalCall } from '../internal-call.ts';
import { seesAllRequests } from '../requests/may-see.ts';
import type { RulesDeps } from './deps.ts';
import { draftRuleSet, isAccess } from './draft-rule-set.ts';
import { findingMessage } from './finding-view.ts';
import { loweredPolicies } from './lowered-policies.ts';
import { approverOf, type Deciders, waitingRequests } from './waiting-requests.ts';

/** The examination limits its own steps; this is the limit for the whole job. */
const MAX_MS = 60_000;

/** Lints the current rules with the drafts applied, and finds requests that nobody can approve. */
export function lintRules(
  deps: Pick<RulesDeps, 'database' | 'devices' | 'evaluations'>,
): Handler<typeof contract.PamRulesService.lintRules> {
  return async (request, context) => {
    const { tenantId, actor } = context;
    const permitted = async (permission: string) =>
      (await deps.devices.listPermittedUsers({ permission, limit: 5_000 }, internalCall(context))).users;
    const [elevation, access, writers] = await Promise.all(
      ['devices.execute', 'requests.decide', 'devices.write'].map(permitted),
    );
    const deciders: Deciders = { elevation: elevation!, access: access! };
    const whole = { removedSoftwareEntryIds: [], ...request };
    const people = new Map([...elevation!, ...access!, ...writers!].map(({ id, name }) => [id, name]));
    const mayReadPolicies = permits(actor.permissions, 'access-policies.read');
    const { at, draft, requests, lowered } = await deps.database.readTenant(tenantId, async (reader) => ({
      at: new Date(await transactionTimeMs(reader)).toISOString(),
      draft: await draftRuleSet(reader, whole, actor, peopleBehind(actor)),
      requests: await waitingRequests(reader, actor, deciders),
      // The finding reveals requests of others, so it requires access to all requests.
      lowered:
        mayReadPolicies && seesAllRequests(actor)
          ? await loweredPolicies(reader, (id) => people.get(id) ?? '')
          : [],
    }));
    const ruleSet = await draft.content();
    const options: LintContext = {
      at,
      approvers: deciders.elevation.map(approverOf),
      accessApprovers: deciders.access.map(approverOf),
      // The names of users on devices are unknown here, so that no author is excluded by name.
      users: writers!.map(({ id, groups }) => ({
        userId: id,
        usernames: null,
        groups: groups.length > 0 ? groups : null,
        siteIds: null,
      })),
      requests,
    };
    const limits = { call: context, maxMs: MAX_MS };
    const found = await deps.evaluations.run({ kind: 'lint', options, ruleSet }, limits);
    const sites = new Map(
      [...ruleSet.rules, ...ruleSet.softwareEntries].map(({ id, siteId }) => [id, siteId ?? null]),
    );
    const policies = new Set(ruleSet.rules.filter(isAccess).map(({ id }) => id));
    const isVisible = (ruleId: string): boolean => {
      if (policies.has(ruleId) && !mayReadPolicies) return false;
      const siteId = sites.get(ruleId) ?? null;
      return siteId === null || withinSites(actor, siteId);
    };
    const names = new Map([...ruleSet.rules, ...ruleSet.softwareEntries].map(({ id, name }) => [id, name]));
    const shown = [...found, ...lowered].filter((finding) => idsOf(finding).every(isVisible));
    return {
      success: true,
      ruleSetVersion: `${draft.version}`,
      findings: shown.map((finding) => findingMessage(finding, { names, people, at })),
    };
  };
}

/**
 * All rules that the message of a finding names. A reader who may not see one of them does not see the
 * finding.
 */
function idsOf({ ruleId, otherRuleIds = [] }: Finding): string[] {
  return ruleId === null ? [...otherRuleIds] : [ruleId, ...otherRuleIds];
}
