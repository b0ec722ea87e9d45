import type { Database } from '@claviger/database';
import {
  compileRuleSetGradually,
  type Evaluation,
  evaluateRules,
  evaluateSoftware,
  type Facts,
  type StageAnswer,
  type TraceStep,
} from '@claviger/evaluator';
import type { Logger } from '@claviger/service-kit';
import { presentMs } from '../database-clock.ts';
import type { WorkflowSchema } from '../schema.ts';
import { type DecisionSnapshot, readSnapshot } from './decision-snapshot.ts';
import { limitStatements, type RuleSetPart, readEntries, readRules } from './load-rule-set.ts';
import { createRuleSetCache, type RuleSetCache } from './rule-set-cache.ts';
import { storableFacts } from './storable-facts.ts';

/** The answer of the evaluator, with the facts to explain and repeat it. */
export interface Decided {
  readonly facts: Facts;
  readonly evaluation: Evaluation;
}

export interface Decider {
  /**
   * The time and the version of the rules for one decision, for all possible subjects. The version is
   * undefined if it cannot be read. Throws `unavailable` if the database does not answer.
   */
  snapshot(tenantId: string): Promise<DecisionSnapshot>;
  /**
   * Decides by the rules of the snapshot's version, within a deadline. Never throws: if rules or lists cannot
   * be read, or a stage throws or hangs, the verdict is `pending` because it `failed`.
   */
  decide(tenantId: string, facts: Facts, snapshot: DecisionSnapshot): Promise<Decided>;
}

/** The stages of a decision. Each can fail or hang independently. */
export interface DecisionStages {
  readonly snapshot: (tenantId: string) => Promise<DecisionSnapshot>;
  readonly software: (tenantId: string, version: number, facts: Facts) => Promise<StageAnswer>;
  readonly rules: (
    tenantId: string,
    version: number,
    facts: Facts,
    before: readonly TraceStep[],
  ) => Promise<Evaluation>;
}

export interface DeciderOptions {
  /** Deadline of each stage; 1.5 seconds when absent. */
  readonly deadlineMs?: number;
  /** Replaces or wraps stages; for tests. */
  readonly stages?: (stages: DecisionStages) => DecisionStages;
  /** A new cache when absent. */
  readonly cache?: RuleSetCache;
}

const DEADLINE_MS = 1_500;
/** Share of the deadline after which the database cancels the statement, before the caller gives up. */
const READ_SNAPSHOT_SHARE = 0.8;
/** A large set may load for longer than one decision waits: the next decision finds it. */
const LOAD_SHARE = 2;

export function createDecider(
  deps: { readonly database: Database<WorkflowSchema>; readonly logger: Logger },
  { deadlineMs = DEADLINE_MS, stages = (own) => own, cache = createRuleSetCache() }: DeciderOptions = {},
): Decider {
  const { snapshot, software, rules } = stages(stagesOf(deps.database, deadlineMs, cache));
  return {
    async snapshot(tenantId) {
      try {
        return await within(deadlineMs, () => snapshot(tenantId));
      } catch (error) {
        deps.logger.error({ err: error, tenantId }, 'the version of the rules cannot be read');
        return { nowMs: await deps.database.readTenant(tenantId, presentMs), version: undefined };
      }
    },
    async decide(tenantId, given, { version }) {
      let stage: TraceStep['stage'] = given?.kind === 'elevation' ? 'software_policy' : 'rules';
      let facts = given;
      try {
        facts = storableFacts(given);
        if (version === undefined) return { facts, evaluation: failed(stage, false) };
        const known = await within(deadlineMs, () => software(tenantId, version, facts));
        if (known.evaluation) return { facts, evaluation: known.evaluation };
        stage = 'rules';
        return {
          facts,
          evaluation: await within(deadlineMs, () => rules(tenantId, version, facts, known.steps)),
        };
      } catch (error) {
        deps.logger.error(
          { err: error, tenantId, stage },
          'the evaluator failed: the request waits for a person',
        );
        return { facts, evaluation: failed(stage, error instanceof TimedOut) };
      }
    },
  };
}

function stagesOf(
  database: Database<WorkflowSchema>,
  deadlineMs: number,
  cache: RuleSetCache,
): DecisionStages {
  const load = (part: RuleSetPart, tenantId: string, version: number) =>
    cache.get(`${part} ${tenantId} ${version}`, async () => {
      const { rules, entries } = await database.readTenant(tenantId, async (reader) => {
        await limitStatements(reader, deadlineMs * LOAD_SHARE);
        return part === 'software'
          ? { rules: [], entries: await readEntries(reader, version) }
          : { rules: await readRules(reader, version), entries: [] };
      });
      // Compiling yields, so that decisions of other tenants do not wait.
      return compileRuleSetGradually(`${version}`, rules, entries);
    });
  return {
    snapshot: (tenantId) =>
      database.readTenant(tenantId, async (reader) => {
        // Both statements are sent together: every decision costs one round trip less.
        const limited = limitStatements(reader, deadlineMs * READ_SNAPSHOT_SHARE);
        limited.catch(() => {});
        const snapshot = await readSnapshot(reader);
        await limited;
        return snapshot;
      }),
    software: async (tenantId, version, facts) => {
      // The lists apply only to elevations; other requests do not depend on them.
      if (facts.kind !== 'elevation') return { evaluation: null, steps: [] };
      return evaluateSoftware(await load('software', tenantId, version), facts);
    },
    rules: async (tenantId, version, facts, before) =>
      evaluateRules(await load('rules', tenantId, version), facts, before),
  };
}

class TimedOut extends Error {}

/** Fails after the timeout; a later answer is ignored. */
async function within<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new TimedOut(`No answer within ${timeoutMs} ms.`));
    // After a pause of the process, an answer may have arrived but not been read: it is read before giving
    // up.
    timer = setTimeout(() => setImmediate(() => setImmediate(giveUp)), timeoutMs);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The evaluation of a failed decision. It names no version, because no rule set reproduces it. */
function failed(stage: TraceStep['stage'], isLate: boolean): Evaluation {
  const reason = isLate ? 'did not answer in time' : 'could not be evaluated';
  return {
    verdict: 'pending',
    because: 'failed',
    decidingRule: null,
    source: null,
    ruleSetVersion: '',
    approvalDurationMinutes: null,
    actionDigest: null,
    access: null,
    trace: {
      steps: [{ stage, ruleId: '', ruleName: '', priority: 0, ruleVerdict: null, outcome: 'failed', reason }],
      omitted: 0,
    },
  };
}
