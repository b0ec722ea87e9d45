import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import {
  compileRuleSet,
  lint,
  type PastRequest,
  type Rule,
  type RuleSet,
  type SoftwareEntry,
  type StoredDecision,
  startPreview,
  startReplay,
} from '@claviger/evaluator';
import type { Answer, Ask, Item, Start } from './messages.ts';

interface Running {
  /** Returns false when no further item is accepted. */
  add(item: Item): boolean;
  report(isLate: boolean): unknown;
  readonly untilMs: number;
  isFull: boolean;
  isLate: boolean;
}

let rules: Rule[] = [];
let entries: SoftwareEntry[] = [];
let running: Running | undefined;

function answer(ask: Ask): unknown {
  switch (ask.kind) {
    case 'rules':
      rules.push(...ask.rules);
      return undefined;
    case 'software':
      entries.push(...ask.entries);
      return undefined;
    case 'start': {
      const compile = (): RuleSet => compileRuleSet(ask.version, rules, entries);
      running = { ...begin(ask.job, compile), untilMs: ask.untilMs, isFull: false, isLate: false };
      rules = [];
      entries = [];
      return undefined;
    }
    case 'items':
      return take(started(), ask.items);
    case 'report': {
      const { report, isLate } = started();
      running = undefined;
      return report(isLate);
    }
  }
}

function started(): Running {
  if (!running) throw new Error('The message requires a started job.');
  return running;
}

function begin(job: Start, compile: () => RuleSet): Pick<Running, 'add' | 'report'> {
  switch (job.kind) {
    case 'replay': {
      const replay = startReplay(compile(), { samples: job.options.samples });
      let [total, isCut] = [0, false];
      return {
        add: (item) => {
          isCut = total >= job.options.maxDecisions;
          if (isCut) return false;
          total++;
          replay.add(item as StoredDecision);
          return true;
        },
        report: (isLate) => ({ ...replay.report(), truncated: isCut || isLate }),
      };
    }
    case 'preview': {
      const preview = startPreview(job.options.draft, job.options.windowDays, job.options.preview);
      return {
        add: (item) => preview.add(item as PastRequest),
        report: (isLate) => {
          const report = preview.report();
          return { ...report, truncated: report.truncated || isLate };
        },
      };
    }
    case 'lint': {
      const ruleSet = compile();
      return { add: () => false, report: () => lint(ruleSet, job.options) };
    }
  }
}

/** Checks the time even without items, because reading a history with few matching items takes time. */
function take(job: Running, items: readonly Item[]): boolean {
  if (job.isFull || job.isLate) return false;
  job.isLate = Date.now() > job.untilMs;
  for (const item of items) {
    job.isLate = Date.now() > job.untilMs;
    if (job.isLate) break;
    job.isFull = !job.add(item);
    if (job.isFull) break;
  }
  return !job.isFull && !job.isLate;
}

// On Linux this sets the priority of this thread only: calls on the main thread have priority.
if (process.platform === 'linux') setPriority(5);

parentPort?.on('message', (ask: Ask) => {
  let answered: Answer;
  try {
    answered = { ok: true, value: answer(ask) };
  } catch (error) {
    answered = {
      ok: false,
      problem: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
  parentPort?.postMessage(answered);
});
