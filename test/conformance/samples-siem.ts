import type { Sample } from './samples.ts';

export const siemSamples: Readonly<Record<string, () => Sample>> = {
  GetSiemStatus: () => ({}),
  TestSiem: () => ({ body: {} }),
};
