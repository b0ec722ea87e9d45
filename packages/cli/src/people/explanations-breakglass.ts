import type { Explanation } from './explanation.ts';

/** Codes of emergency access. */
export const breakglassExplanations: Readonly<Record<string, Explanation>> = {
  breakglass_open: {
    meaning: 'You have emergency access open, or have asked for it: nobody has two at a time.',
    next: '`claviger breakglass status` shows it; `claviger breakglass deactivate` ends it.',
  },
  breakglass_not_open: {
    meaning: 'There is no emergency access of yours to end, or this one has ended and everybody knows it.',
    next: '`claviger breakglass sessions` shows when and how it ended.',
  },
  breakglass_ended: {
    meaning: 'The vault knows this emergency session as ended, and an ended one never begins again.',
    next: 'Activate a new one if the emergency goes on.',
  },
  sealed_code_wrong: {
    meaning: 'The sealed code is wrong, was used before, or newer codes have taken its place.',
    next: 'Take another envelope. Five wrong codes lock this way for fifteen minutes.',
  },
  sealed_code_malformed: {
    meaning: 'A sealed code has 26 letters and digits. Blanks, dashes and case do not matter.',
    next: 'Give it as it stands in the envelope. A try that cannot be a code is not counted.',
  },
  sealed_code_locked: {
    meaning: 'Five wrong sealed codes were given within fifteen minutes.',
    next: 'Activate without a code and let a second person confirm it, or wait as long as Retry-After says.',
  },
  sealed_code_required: {
    meaning: 'The setting `breakglass.mode` takes sealed codes only.',
    next: 'Open an envelope and activate with its code.',
  },
  sealed_code_not_taken: {
    meaning: 'The setting `breakglass.mode` asks for a second person and takes no sealed codes.',
    next: 'Activate without a code; somebody else runs `claviger breakglass confirm`.',
  },
  activation_pending: {
    meaning: 'Emergency access is activated, but the vault or auth could not be told of it yet.',
    next: 'It is repeated by itself: try to retrieve what you need. Activating again hurries it.',
  },
  deactivation_pending: {
    meaning:
      'Emergency access has ended, but the vault could not be told of it yet; there it ends with its time at the latest.',
    next: 'It is repeated by itself. `claviger breakglass deactivate --session ID` waits for the confirmation.',
  },
  in_emergency: {
    meaning: 'You have emergency access open, and administer nothing meanwhile.',
    next: 'End it with `claviger breakglass deactivate`, or leave this to somebody else.',
  },
  journal_unwritable: {
    meaning:
      'The journal of the vault takes no record, and without one nothing is disclosed in an emergency.',
    next: 'Make room on the disk of the vault, or mend the permissions of its journal; its log tells more.',
  },
};
