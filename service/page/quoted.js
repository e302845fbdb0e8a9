// Somebody's own text, cut, its invisible signs named, and its direction kept to itself.
export const quoted = (text) => {
  const signs = [...text].slice(0, 40);
  const seen = signs.map((sign) =>
    /\p{C}/u.test(sign)
      ? `[U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`
      : sign,
  );
  return `“\u2068${seen.join("")}${[...text].length > 40 ? "…" : ""}\u2069”`;
};
