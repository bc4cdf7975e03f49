-- What came with version 9: the request that made a batch.

update batch set trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' where id = id(01a20faa-f97b-76eb-95c5-db6000000000)
