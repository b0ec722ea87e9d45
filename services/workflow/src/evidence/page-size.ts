/** Rows in one answer: about 200 KiB. */
export const PAGE_SIZE = 500;
