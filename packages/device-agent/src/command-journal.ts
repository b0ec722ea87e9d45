import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';

export type Outcome = 'succeeded' | 'failed' | 'timed_out';

export interface Done {
  readonly outcome: Outcome;
  readonly detail: string;
}

/**
 * Record of accepted commands and their outcomes, on disk. The server delivers a command again until its
 * outcome is reported; a recorded command is never executed again.
 */
export interface CommandJournal {
  /** Records a command on disk before it resolves. Returns false if any process has recorded it before. */
  begin(commandId: string): boolean;
  finish(commandId: string, done: Done): void;
  /** Outcome of a recorded command; undefined while it is unknown. */
  outcomeOf(commandId: string): Done | undefined;
  close(): void;
}

const KEPT_DAYS = 30;

export function openCommandJournal(file: string): CommandJournal {
  const database = open(file);
  const add = database.prepare('INSERT OR IGNORE INTO commands (id) VALUES (?)');
  const settle = database.prepare('UPDATE commands SET outcome = ?, detail = ? WHERE id = ?');
  const find = database.prepare('SELECT outcome, detail FROM commands WHERE id = ? AND outcome IS NOT NULL');
  return {
    begin: (commandId) => add.run(commandId).changes === 1,
    finish: (commandId, { outcome, detail }) => void settle.run(outcome, detail, commandId),
    outcomeOf: (commandId) => find.get(commandId) as Done | undefined,
    close: () => database.close(),
  };
}

function open(file: string): DatabaseSync {
  try {
    const database = new DatabaseSync(file, { timeout: 5_000 });
    chmodSync(file, 0o600);
    database.exec(`
      PRAGMA synchronous = FULL;
      CREATE TABLE IF NOT EXISTS commands (
        id TEXT PRIMARY KEY,
        outcome TEXT,
        detail TEXT,
        taken_up_at INTEGER NOT NULL DEFAULT (unixepoch())
      ) STRICT;
      DELETE FROM commands WHERE taken_up_at < unixepoch() - ${KEPT_DAYS * 86_400};
    `);
    return database;
  } catch (cause) {
    throw new CommandError(`the state file ${file} cannot be used: ${(cause as Error).message}`, EXIT.usage, {
      cause,
    });
  }
}
