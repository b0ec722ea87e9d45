import { type Journal, JournalUnwritableError, openJournal } from '@claviger/journal';
import type { Logger } from '@claviger/service-kit';

/**
 * Opens this replica's journal. If that fails, the vault serves without it: only emergency disclosures are
 * refused, and the log has the cause.
 */
export async function openEmergencyJournal(options: {
  file: string;
  key: Buffer;
  logger: Logger;
}): Promise<Journal> {
  const { file, key, logger } = options;
  try {
    const journal = await openJournal({ file, key });
    const problem = journal.problem();
    if (problem) logger.error({ file, problem, alert: 'integrity' }, 'the emergency journal is broken');
    return journal;
  } catch (cause) {
    const problem = `${file} cannot be opened: correct its permissions and restart`;
    logger.error({ err: cause, file }, 'emergency disclosures are refused: the journal cannot be opened');
    return {
      append: async () => {
        throw new JournalUnwritableError(problem, { cause });
      },
      records: async () => [],
      trim: async () => {},
      problem: () => problem,
      [Symbol.asyncDispose]: async () => {},
    };
  }
}
