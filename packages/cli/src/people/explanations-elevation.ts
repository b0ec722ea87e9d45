import type { Explanation } from './explanation.ts';

/** Codes of elevations on devices and of actions of tools. */
export const elevationExplanations: Readonly<Record<string, Explanation>> = {
  race_lost: {
    meaning:
      'Somebody else was faster: it was decided, carried out or ended between your look and your call.',
    next: 'Read it again to see what became of it. Nothing was done twice.',
  },
  own_request: {
    meaning:
      'Nobody decides about what they asked for, what is for them, or what a token of theirs asked for.',
    next: 'Ask somebody else who may decide.',
  },
  own_device: {
    meaning:
      'Nobody decides on prompts of a device they use: whoever enrolled it, was seen behind one of its prompts within 30 days, or is its administrator now.',
    next: 'Ask somebody else who may decide.',
  },
  observation_too_old: {
    meaning:
      'The device saw the prompt more than a day ago, by the clock of the database: it is no longer shown.',
    next: 'Let the program ask again. If it was seen just now, set the clock of the device.',
  },
  report_id_reused: {
    meaning: 'The device has used this report_id for another observation already.',
    next: 'Give each observation an id of its own, and repeat a report without changing it.',
  },
  execution_timed_out: {
    meaning: 'The tool has stopped waiting for the decision, so that an approval would come to nothing.',
    next: 'Let the tool ask again.',
  },
  actuator_disabled: {
    meaning: 'The administrators of the tenant have switched off that devices carry elevations out.',
    next: 'An administrator switches it on: `claviger config set elevation.actuatorEnabled=true`.',
  },
  too_many_waiting: {
    meaning:
      'Five hundred requests of this device, or of who asked, wait for a person already: no further one is taken.',
    next: 'Have them decided, or let them expire. A device that asks so often is worth a look.',
  },
  outcome_reported: {
    meaning: 'Another outcome of this command was reported before; the first report holds.',
    next: 'Nothing. An agent reports each command once; the same report again does no harm.',
  },
};
