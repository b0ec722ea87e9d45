export {
  type Journal,
  JournalBrokenError,
  type JournalRecord,
  JournalUnwritableError,
  openJournal,
} from './journal.ts';
