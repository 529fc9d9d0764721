// Search for words that are written without blanks between them.
//
// The index that mdBook builds has what is between two blanks as a word, and its
// search drops every sign that is not Latin, so it finds no Chinese word. For a
// query with one, this looks at the text of the pages itself, which is in the
// index too, because it is shown below each hit.
(() => {
    "use strict";

    const HAN = /\p{Script=Han}/u;

    if (!window.elasticlunr) {
        return;
    }

    // How often `word` is in `text`.
    const times = (text, word) => text.split(word).length - 1;

    // A section with all the words, as the search of the index gives it back.
    const hit = (doc, words) => {
        const title = doc.title.toLowerCase();
        const body = doc.body.toLowerCase();
        const scores = words.map((word) => 10 * times(title, word) + times(body, word));
        if (scores.includes(0)) {
            return [];
        }
        // Blanks around them, so that mdBook sees words that it can mark.
        const spaced = words.reduce((text, word) => text.replaceAll(word, ` ${word} `), doc.body);
        return [{ ref: doc.id, score: Math.min(...scores), doc: { ...doc, body: spaced } }];
    };

    const load = elasticlunr.Index.load;
    elasticlunr.Index.load = function (data) {
        const index = load.call(this, data);
        const search = index.search;
        index.search = function (query, options) {
            const words = query.toLowerCase().split(/\s+/).filter((word) => word !== "");
            if (!words.some((word) => HAN.test(word))) {
                return search.call(this, query, options);
            }
            const docs = Object.values(this.documentStore.docs);
            return docs.flatMap((doc) => hit(doc, words)).sort((a, b) => b.score - a.score);
        };
        return index;
    };
})();
