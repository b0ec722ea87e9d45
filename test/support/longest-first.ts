import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** These mostly wait, for a minute or more; started last, one of them would run alone at the end. */
export const LONGEST = [
  'test/faults/killed-services.test.ts',
  'test/faults/lost-servers.test.ts',
  'test/faults/replicas.test.ts',
  'packages/demo/src/demo.test.ts',
  'test/faults/restore.test.ts',
];

/** Starts the longest files first; without recorded durations, vitest would start the largest ones first. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = LONGEST.findIndex((file) => moduleId.endsWith(`/${file}`));
      return found === -1 ? LONGEST.length : found;
    };
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}
