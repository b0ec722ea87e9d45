import { kekRotation } from './test-kek-rotation.ts';

kekRotation(300, 50);
