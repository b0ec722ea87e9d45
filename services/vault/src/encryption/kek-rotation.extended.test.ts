import { kekRotation } from './test-kek-rotation.ts';

kekRotation(10_000, 500);
