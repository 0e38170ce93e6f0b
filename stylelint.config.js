// Logical properties only: right-to-left needs no second sheet.
export default {
  plugins: ["stylelint-plugin-logical-css"],
  rules: {
    "logical-css/require-logical-properties": [true, { severity: "error" }],
    "logical-css/require-logical-keywords": [true, { severity: "error" }],
    "block-no-empty": true,
    "color-no-invalid-hex": true,
    "declaration-block-no-duplicate-properties": [true, { ignore: ["consecutive-duplicates-with-different-values"] }],
    "property-no-unknown": [true, { ignoreProperties: ["position-try-fallbacks", "position-area", "interpolate-size"] }],
    "selector-max-id": 1,
    "unit-no-unknown": true,
  },
};
