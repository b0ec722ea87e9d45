import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import { readText } from '@claviger/terminal/text-input';
import type { Outcome } from './command-journal.ts';

/** A prompt of the device, and the state that the script waits for. */
export interface PromptStep {
  /** The report, with the field names of the API. */
  readonly prompt: Readonly<Record<string, unknown>>;
  /** What the script waits for: nothing, a decision, or the report of the device after it acted. */
  readonly await: 'none' | 'decision' | 'actuation';
  readonly timeoutSeconds: number;
  /** Outcome of the program. */
  readonly outcome: Outcome;
  /** Time from the action of the device to its report. */
  readonly reportAfterSeconds: number;
}

export type ScriptStep = PromptStep | { readonly pauseSeconds: number } | { readonly rotateToken: true };

const AWAITS = ['none', 'decision', 'actuation'] as const;
const OUTCOMES = ['succeeded', 'failed', 'timed_out'] as const;

/**
 * Reads the steps of a script: a JSON list, or one JSON object on each line. Throws a usage error that names
 * the invalid step.
 */
export async function readScript(file: string): Promise<ScriptStep[]> {
  return parsed(await readText(file)).map((step, index) => {
    const wrong = (what: string): CommandError =>
      new CommandError(`step ${index + 1} of ${file}: ${what}`, EXIT.usage);
    return stepOf(step, wrong);
  });
}

function parsed(text: string): unknown[] {
  try {
    const whole: unknown = JSON.parse(text);
    return Array.isArray(whole) ? whole : [whole];
  } catch {
    return text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .map((line, index) => {
        try {
          return JSON.parse(line) as unknown;
        } catch {
          throw new CommandError(`line ${index + 1} of the script is not JSON`, EXIT.usage);
        }
      });
  }
}

function stepOf(step: unknown, wrong: (what: string) => CommandError): ScriptStep {
  if (!isObject(step)) throw wrong('is not an object');
  const { prompt, pauseSeconds, rotateToken, ...rest } = step;
  if (pauseSeconds !== undefined) return { pauseSeconds: seconds('pauseSeconds', pauseSeconds, wrong) };
  if (rotateToken === true) return { rotateToken };
  if (!isObject(prompt)) throw wrong('has neither a prompt nor pauseSeconds nor rotateToken');
  const { timeoutSeconds = 60, reportAfterSeconds = 0, ...words } = rest;
  const { await: until = 'none', outcome = 'succeeded', ...unknown } = words;
  const [surplus] = Object.keys(unknown);
  if (surplus !== undefined) throw wrong(`has the unknown field ${surplus}`);
  return {
    prompt,
    await: oneOf('await', until, AWAITS, wrong),
    outcome: oneOf('outcome', outcome, OUTCOMES, wrong),
    timeoutSeconds: seconds('timeoutSeconds', timeoutSeconds, wrong),
    reportAfterSeconds: seconds('reportAfterSeconds', reportAfterSeconds, wrong),
  };
}

function seconds(name: string, value: unknown, wrong: (what: string) => CommandError): number {
  if (typeof value === 'number' && value >= 0 && value <= 86_400) return value;
  throw wrong(`${name} must be a number of seconds, at most a day`);
}

function oneOf<T extends string>(
  name: string,
  value: unknown,
  known: readonly T[],
  wrong: (what: string) => CommandError,
): T {
  const found = known.find((each) => each === value);
  if (found === undefined) throw wrong(`${name} must be one of ${known.join(', ')}`);
  return found;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
