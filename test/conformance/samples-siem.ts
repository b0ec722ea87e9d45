import type { Sample } from './sample.ts';

export const siemSamples: Readonly<Record<string, () => Sample>> = {
  GetSiemStatus: () => ({}),
  TestSiem: () => ({ body: {} }),
};
