/**
 * How V8 is to keep its heap in the executables and the image: halves of the young generation of 2 MiB in place of up to 32, and
 * the old one collected when it has grown by 70 %, in place of up to fourfold. A program cannot set these for itself; what they
 * save and cost is in SCALING.md, "Memory".
 */
export const V8_FLAGS = "--v8-flags=--max-semi-space-size=2,--heap-growing-percent=70";
