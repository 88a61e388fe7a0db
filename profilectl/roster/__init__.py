"""The roster file: read, judged and located here; edited and converted by its neighbours."""
