"""Words: captions, hashtags and ideas, by whichever writer a space uses, checked whoever wrote them."""
