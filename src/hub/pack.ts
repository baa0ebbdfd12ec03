// SPEC §11 hub: a short way to C(value) for what a hub writes all day: rows and frames.

export { encode as pack } from "../pack.ts"
