// SPEC §11 hub: frames, the opening of a link, receipts of the directory. All pure.

export * from "./opening.ts"
export * from "./receipts.ts"
export * from "./wire.ts"
