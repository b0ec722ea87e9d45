import { z } from 'zod';
import { elevationLine } from './lines.ts';
import { defineQuery, SHOWN } from './query.ts';

const ELEVATIONS = /\belevat\w*|\b(?:uac|administrator|admin) prompts?\b|\bprompts?\b/;
const NOW = /\b(?:active|in force|running|current(?:ly)?|now)\b/;
const WAITING = /\b(?:pending|wait\w*|open|undecided|to (?:approve|decide)|my (?:approval|decision))\b/;

export const pendingElevations = defineQuery({
  name: 'pending-elevations',
  description: 'Elevations on the devices of your sites that wait for a person',
  example: 'Which elevations are pending?',
  permission: 'devices.read',
  parameters: z.strictObject({}),
  heading: 'Elevations that wait for a person',
  match: ({ text }) =>
    ELEVATIONS.test(text) && WAITING.test(text) && !/^(?:how|why)\b/.test(text) ? {} : undefined,
  run: async (_, { reads, context }) => {
    const { requests = [], pagination } = await reads.listElevationRequests(
      { status: 'pending', limit: SHOWN },
      context,
    );
    return {
      lines: requests.map(elevationLine),
      total: pagination?.total ?? requests.length,
      none: 'No elevation that you may see waits for a person.',
    };
  },
});

export const activeElevations = defineQuery({
  name: 'active-elevations',
  description: 'Elevations on the devices of your sites that are in force',
  example: 'Which elevations are in force?',
  permission: 'devices.read',
  parameters: z.strictObject({}),
  heading: 'Elevations in force',
  match: ({ text }) =>
    ELEVATIONS.test(text) && NOW.test(text) && !WAITING.test(text) && !/^(?:how|why)\b/.test(text)
      ? {}
      : undefined,
  run: async (_, { reads, context }) => {
    const { active = [] } = await reads.listActiveElevations({}, context);
    return {
      lines: active.slice(0, SHOWN).map(elevationLine),
      total: active.length,
      none: 'No elevation that you may see is in force.',
    };
  },
});
